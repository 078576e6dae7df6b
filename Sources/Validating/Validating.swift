// Validating: see ARCHITECTURE.md.
