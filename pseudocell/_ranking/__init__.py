"""Steps 2 to 5: peaks -> candidates -> features -> scores -> pseudo labels."""
