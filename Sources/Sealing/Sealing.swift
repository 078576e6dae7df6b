// Sealing: see ARCHITECTURE.md.
