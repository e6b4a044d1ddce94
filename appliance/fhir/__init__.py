"""FHIR R4 (4.0.1): `elements`, code systems, and the Observations of results and answers. See docs/fhir.md."""
