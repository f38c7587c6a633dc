/// A program for the kernel's virtual machine, instruction by instruction (RFC 9669).
struct Assembler {
    enum Register: UInt8 {
        case r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, stack
    }

    enum Size: UInt8 {
        case word = 0x00
        case half = 0x08
        case byte = 0x10
        case double = 0x18
    }

    enum Operation: UInt8 {
        case add = 0x00
        case subtract = 0x10
        case multiply = 0x20
        case or = 0x40
        case and = 0x50
        case shiftLeft = 0x60
        case shiftRight = 0x70
        case move = 0xb0
        case shiftRightSigned = 0xc0
    }

    enum Condition: UInt8 {
        case equal = 0x10
        case greater = 0x20
        case notEqual = 0x50
        case less = 0xa0
        case signedLess = 0xc0
    }

    /// A place to jump to, which may be named before it is there.
    struct Label: Hashable {
        fileprivate let number: Int
    }

    private enum Class {
        static let load: UInt8 = 0x01
        static let storeConstant: UInt8 = 0x02
        static let store: UInt8 = 0x03
        static let arithmetic32: UInt8 = 0x04
        static let jump: UInt8 = 0x05
        static let arithmetic: UInt8 = 0x07
    }

    private static let memory: UInt8 = 0x60
    private static let byRegister: UInt8 = 0x08
    private static let call: UInt8 = 0x80
    private static let exit: UInt8 = 0x90
    private static let byteOrder: UInt8 = 0xd0
    private static let loadDouble: UInt8 = 0x18
    private static let ofMap: UInt8 = 1

    private var code: [UInt64] = []
    private var places: [Label: Int] = [:]
    private var jumps: [(at: Int, to: Label)] = []
    private var labels = 0

    /// All of them, once every label has its place.
    var instructions: [UInt64] {
        var code = code
        for (index, label) in jumps {
            guard let place = places[label] else { preconditionFailure("a jump to nowhere") }
            code[index] |= UInt64(UInt16(truncatingIfNeeded: place - index - 1)) << 16
        }
        return code
    }

    private mutating func emit(_ opcode: UInt8, _ target: Register = .r0, _ source: UInt8 = 0, offset: Int = 0, _ constant: Int32 = 0) {
        code.append(
            UInt64(opcode) | UInt64(target.rawValue) << 8 | UInt64(source) << 12 | UInt64(UInt16(truncatingIfNeeded: offset)) << 16
                | UInt64(UInt32(bitPattern: constant)) << 32)
    }

    // MARK: Memory

    mutating func load(_ size: Size, _ target: Register, from base: Register, _ offset: Int) {
        emit(Class.load | Self.memory | size.rawValue, target, base.rawValue, offset: offset)
    }

    mutating func store(_ size: Size, _ source: Register, to base: Register, _ offset: Int) {
        emit(Class.store | Self.memory | size.rawValue, base, source.rawValue, offset: offset)
    }

    mutating func store(_ size: Size, constant: Int32, to base: Register, _ offset: Int) {
        emit(Class.storeConstant | Self.memory | size.rawValue, base, offset: offset, constant)
    }

    mutating func copy(_ size: Size, from source: Register, _ from: Int, to target: Register, _ to: Int, by register: Register) {
        load(size, register, from: source, from)
        store(size, register, to: target, to)
    }

    /// A table, by its descriptor.
    mutating func load(table: Int32, _ target: Register) {
        emit(Self.loadDouble, target, Self.ofMap, table)
        emit(0)
    }

    // MARK: Numbers

    mutating func apply(_ operation: Operation, _ target: Register, _ constant: Int32) {
        emit(Class.arithmetic | operation.rawValue, target, constant)
    }

    mutating func apply(_ operation: Operation, _ target: Register, _ source: Register) {
        emit(Class.arithmetic | Self.byRegister | operation.rawValue, target, source.rawValue)
    }

    /// In the lower half; the upper one becomes zero.
    mutating func apply32(_ operation: Operation, _ target: Register, _ source: Register) {
        emit(Class.arithmetic32 | Self.byRegister | operation.rawValue, target, source.rawValue)
    }

    mutating func move(_ target: Register, _ constant: Int32) { apply(.move, target, constant) }
    mutating func move(_ target: Register, _ source: Register) { apply(.move, target, source) }

    /// From network order to the machine's, or back; what is above those bits becomes zero.
    mutating func swap(_ target: Register, bits: Int32) {
        emit(Class.arithmetic32 | Self.byRegister | Self.byteOrder, target, bits)
    }

    // MARK: Ways

    mutating func label() -> Label {
        labels += 1
        return Label(number: labels)
    }

    mutating func place(_ label: Label) { places[label] = code.count }

    mutating func jump(_ label: Label) {
        jumps.append((code.count, label))
        emit(Class.jump)
    }

    mutating func jump(_ label: Label, if register: Register, _ condition: Condition, _ constant: Int32) {
        jumps.append((code.count, label))
        emit(Class.jump | condition.rawValue, register, constant)
    }

    mutating func jump(_ label: Label, if register: Register, _ condition: Condition, _ other: Register) {
        jumps.append((code.count, label))
        emit(Class.jump | Self.byRegister | condition.rawValue, register, other.rawValue)
    }

    /// One of the kernel's functions: its arguments are in r1 to r5, its result is in r0, and the others of these hold nothing afterwards.
    mutating func call(_ function: Int32) { emit(Class.jump | Self.call, constant: function) }

    mutating func exit() { emit(Class.jump | Self.exit) }

    private mutating func emit(_ opcode: UInt8, constant: Int32) { emit(opcode, .r0, 0, offset: 0, constant) }
    private mutating func emit(_ opcode: UInt8, _ target: Register, _ constant: Int32) { emit(opcode, target, 0, offset: 0, constant) }
    private mutating func emit(_ opcode: UInt8, _ target: Register, _ source: UInt8, _ constant: Int32) {
        emit(opcode, target, source, offset: 0, constant)
    }
    private mutating func emit(_ opcode: UInt8, _ target: Register, offset: Int, _ constant: Int32) {
        emit(opcode, target, 0, offset: offset, constant)
    }
}
