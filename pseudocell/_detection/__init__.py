"""Step 1: images and labels -> nets -> heatmaps -> peaks."""
