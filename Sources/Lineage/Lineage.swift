// Lineage: see ARCHITECTURE.md.
