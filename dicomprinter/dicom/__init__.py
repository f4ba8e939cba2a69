"""What DICOM needs and nothing of jobs."""
