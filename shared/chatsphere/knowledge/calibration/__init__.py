"""What organizations fitted to embedding models: stored, shown, taken back."""
