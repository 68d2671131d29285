"""The words of CBV 2.0 that stand bare in EPCIS 2.0 JSON-LD, and the namespaces that GS1's context names.

Source: GS1 EPCIS 2.0 JSON-LD context (https://ref.gs1.org/standards/epcis/epcis-context.jsonld). It is never fetched:
a document is read by what is written here.
"""

from collections.abc import Mapping

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
CONTEXTS = frozenset(
    (
        CONTEXT,
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld",
        "https://gs1.github.io/EPCIS/epcis-context.jsonld",
    )
)
"""Addresses of GS1's one context. No other address is taken: what it says would have to be fetched."""

CBV = "https://ref.gs1.org/cbv/"
VOC = "https://gs1.org/voc/"
NAMESPACES: Mapping[str, str] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": CBV,
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": VOC,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
"""Prefixes that GS1's context brings along."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


EVENT_TYPES = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
ACTIONS = ("ADD", "OBSERVE", "DELETE")

BIZ_STEPS = _words(
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
    "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting "
    "installing killing loading other packing picking receiving removing repackaging repairing replacing reserving "
    "retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting "
    "unloading unpacking void_shipping"
)
DISPOSITIONS = _words(
    "active available completeness_inferred completeness_verified conformant container_closed container_open damaged "
    "destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance "
    "mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed "
    "recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable "
    "unknown"
)
TRANSACTIONS = _words("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt")
PARTIES = _words("location owning_party possessing_party")
REASONS = _words("did_not_occur incorrect_data")
COMPONENTS = _words(
    "altitude axial_distance azimuth easting elevation_angle height latitude longitude northing polar_angle "
    "spherical_radius x y z"
)
ALERTS = _words("ALARM_CONDITION ERROR_CONDITION")
MEASUREMENTS = _words(
    "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance "
    "AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance "
    "Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity "
    "ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency "
    "Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux "
    "LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate "
    "MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux "
    "RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed "
    "SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction "
    "VolumetricFlux Wavenumber"
)

FAMILIES: Mapping[str, tuple[frozenset[str], str, str]] = {
    "bizStep": (BIZ_STEPS, CBV + "BizStep-", "urn:epcglobal:cbv:bizstep:"),
    "disposition": (DISPOSITIONS, CBV + "Disp-", "urn:epcglobal:cbv:disp:"),
    "bizTransaction": (TRANSACTIONS, CBV + "BTT-", "urn:epcglobal:cbv:btt:"),
    "party": (PARTIES, CBV + "SDT-", "urn:epcglobal:cbv:sdt:"),
    "reason": (REASONS, CBV + "ER-", "urn:epcglobal:cbv:er:"),
    "component": (COMPONENTS, CBV + "Comp-", "urn:epcglobal:cbv:comp:"),
    "exception": (ALERTS, VOC, "urn:epcglobal:cbv:alert:"),
    "measurement": (MEASUREMENTS, VOC, "urn:epcglobal:cbv:measurement:"),
}
"""By what it is: the bare words, the start of their web addresses, the start of the URNs of EPCIS 1.2."""


def web(family: str, word: str, namespaces: Mapping[str, str] = NAMESPACES) -> str:
    """One spelling for a word of CBV, however it was written: bare, as a compact or whole address, or as a URN.

    Anything else is given back with its prefix, if it has a known one, written out.
    """
    words, start, urn = FAMILIES[family]
    if word in words:
        return start + word
    if word.startswith(urn):
        return start + word.removeprefix(urn)
    return expanded(word, namespaces)


def expanded(name: str, namespaces: Mapping[str, str] = NAMESPACES) -> str:
    """`prefix:rest` with the prefix written out where it is a known one; anything else as it is."""
    prefix, colon, rest = name.partition(":")
    if colon and not rest.startswith("//") and prefix in namespaces:
        return namespaces[prefix] + rest
    return name
