"""Results as FHIR R4 (4.0.1) resources: `elements`, the code systems, and a result's Observation. See docs/fhir.md."""
