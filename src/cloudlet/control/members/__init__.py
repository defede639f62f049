"""Users & Licenses: who belongs to a workspace, what they may do, who holds a license."""
