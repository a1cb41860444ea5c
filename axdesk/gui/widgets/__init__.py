"""Building blocks of the window's look; they know theme and icons, and nothing of experiments."""
