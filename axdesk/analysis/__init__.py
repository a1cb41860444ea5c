"""What the data mean: best trials, convergence and summaries as cards.

A card is a title, one sentence, a table and a neutral figure. Predictions are handed in by the
caller: nothing here fits a model. Drawing a figure to a file is the one step that loads a plotting
library.
"""
