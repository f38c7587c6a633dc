internal import CLinux

/// How many descriptors this process may have: every connection takes one.
public enum OpenFiles {
    /// Takes all that the administrator allows (the hard limit); the number, or 0 when it cannot be read.
    @discardableResult
    public static func raiseLimit() -> Int { Int(clamping: tandem_raise_open_files()) }
}
