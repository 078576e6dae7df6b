// Ingestion: see ARCHITECTURE.md.
