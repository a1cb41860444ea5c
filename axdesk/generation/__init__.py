"""Where candidates come from: search space and observations in, suggested arms out.

The door is a pure function of its arguments and a seed: same input, same output, on any thread or
process. Encoding, space-filling points and feasibility need NumPy and SciPy only; importing this
package loads no torch, which is imported at the first model-based suggestion.
"""
