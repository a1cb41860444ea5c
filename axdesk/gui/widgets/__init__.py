"""Building blocks of the window: buttons, labels, fields and cards in the look of the theme."""
