"""Measures what the README claims. Everything is interleaved and printed as ratios: machines are noisy."""
