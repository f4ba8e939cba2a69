"""SetTag and SetSequence: what the configuration puts into the job's dataset."""
