// Masking: see ARCHITECTURE.md.
