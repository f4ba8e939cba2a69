"""What a file does here otherwise than on the incumbent: `dicomprinter check --from-incumbent`."""
