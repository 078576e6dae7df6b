// Screening: see ARCHITECTURE.md.
