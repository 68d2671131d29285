"""Who and what exists in the village, and the ground that the other rooms stand on."""
