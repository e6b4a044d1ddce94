"""What the hospital sends: checked, refused or followed, and answered."""
