// Sketches: see ARCHITECTURE.md.
