"""A trained model on recordings of any length: times, masks, sounds, and a page for each."""
