"""Query: asks a worklist or an archive for the patient, the order, the study (C-FIND)."""
