"""The dossier with which a product asks for its OCOP stars: the evidence of one product and period, in one zip."""
