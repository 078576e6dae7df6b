// Schemas: see ARCHITECTURE.md.
