internal import CLinux

/// Asks for memory that will be touched soon, so that it is in the processor's cache by then.
public enum Prefetch {
    /// The cache lines at these distances from an object's address. Whatever lies there now, nothing happens to it, nor to us.
    public static func lines(_ distances: [UInt16], of address: UInt) {
        unsafe distances.withUnsafeBufferPointer { buffer in unsafe tandem_prefetch(address, buffer.baseAddress, buffer.count) }
    }

    public static func address(of object: AnyObject) -> UInt { unsafe UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque()) }
}
