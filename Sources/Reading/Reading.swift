// Reading: see ARCHITECTURE.md.
