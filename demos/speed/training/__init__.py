"""Whole training steps beside torch eager: nanoGPT's processor line, and the published sizes on a GPU."""
