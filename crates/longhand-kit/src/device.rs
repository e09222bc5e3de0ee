//! Names that Windows takes for devices, whatever folder they are in: what reads or writes such a file
//! there reads or writes a console or a port.

/// Whether a name is one of theirs, in any case and with any suffix.
pub(crate) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ');
    let stem = stem.to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let mut digits = port.unwrap_or_default().chars();
    let digit = digits.next().is_some_and(|digit| "0123456789¹²³".contains(digit));
    digit && digits.next().is_none()
}
