"""Steps of norm 1, from SGD to Muon, and the choice among them: arXiv:2605.19781 on trial."""
