"""What leaves the program other than by DICOM: programs, messages."""
