// Cryptography: see ARCHITECTURE.md.
