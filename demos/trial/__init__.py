"""All demos on trial: what is wrong in print, every claim in one page."""
