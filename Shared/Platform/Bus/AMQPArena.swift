internal import CRabbitMQ

/// The memory behind the strings and tables one call to librabbitmq is given: taken as needed, recycled after the call.
@safe
final class AMQPArena {
    enum Field {
        case text(String)
        case texts([String])
        case number(Int64)
        case flag(Bool)
        case fields([(String, Field)])
    }

    private let pool: UnsafeMutablePointer<amqp_pool_t>

    init() {
        unsafe pool = .allocate(capacity: 1)
        unsafe pool.initialize(to: amqp_pool_t())
        unsafe init_amqp_pool(pool, 4096)
    }

    deinit {
        unsafe empty_amqp_pool(pool)
        unsafe pool.deallocate()
    }

    /// Everything handed out before is invalid afterwards.
    func recycle() { unsafe recycle_amqp_pool(pool) }

    func bytes(_ text: String) -> amqp_bytes_t { unsafe copy(text.utf8) }

    func bytes(_ number: UInt64) -> amqp_bytes_t {
        unsafe copy((0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - $0 * 8)) })
    }

    func table(_ fields: [(String, Field)]) -> amqp_table_t {
        guard !fields.isEmpty else { return unsafe amqp_empty_table }
        let memory = unsafe take(MemoryLayout<amqp_table_entry_t>.stride * fields.count)
        let entries = unsafe memory.bindMemory(to: amqp_table_entry_t.self, capacity: fields.count)
        for (index, (key, field)) in fields.enumerated() {
            unsafe (entries + index).initialize(to: amqp_table_entry_t(key: bytes(key), value: value(field)))
        }
        return unsafe amqp_table_t(num_entries: Int32(fields.count), entries: entries)
    }

    private func value(_ field: Field) -> amqp_field_value_t {
        var value = unsafe amqp_field_value_t()
        switch field {
        case .text(let text):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
            unsafe value.value.bytes = bytes(text)
        case .texts(let texts):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_ARRAY.rawValue)
            unsafe value.value.array = array(texts)
        case .number(let number):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
            unsafe value.value.i64 = number
        case .flag(let flag):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
            unsafe value.value.boolean = flag ? 1 : 0
        case .fields(let fields):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_TABLE.rawValue)
            unsafe value.value.table = table(fields)
        }
        return unsafe value
    }

    private func array(_ texts: [String]) -> amqp_array_t {
        guard !texts.isEmpty else { return unsafe amqp_empty_array }
        let memory = unsafe take(MemoryLayout<amqp_field_value_t>.stride * texts.count)
        let entries = unsafe memory.bindMemory(to: amqp_field_value_t.self, capacity: texts.count)
        for (index, text) in texts.enumerated() { unsafe (entries + index).initialize(to: value(.text(text))) }
        return unsafe amqp_array_t(num_entries: Int32(texts.count), entries: entries)
    }

    private func copy(_ bytes: some Collection<UInt8>) -> amqp_bytes_t {
        guard !bytes.isEmpty else { return unsafe amqp_empty_bytes }
        let memory = unsafe UnsafeMutableRawBufferPointer(start: take(bytes.count), count: bytes.count)
        unsafe memory.copyBytes(from: bytes)
        return unsafe amqp_bytes_t(len: bytes.count, bytes: memory.baseAddress)
    }

    private func take(_ count: Int) -> UnsafeMutableRawPointer {
        guard let memory = unsafe amqp_pool_alloc(pool, count) else { preconditionFailure("out of memory") }
        return unsafe memory
    }
}

extension amqp_bytes_t {
    var copied: [UInt8] {
        guard let bytes = unsafe bytes, unsafe len > 0 else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: len))
    }

    /// Lossy where it is not UTF-8.
    var text: String {
        guard let bytes = unsafe bytes, unsafe len > 0 else { return "" }
        return unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: len), as: UTF8.self)
    }

    /// Eight raw bytes, as our correlation ids are sent.
    var number: UInt64? {
        guard let bytes = unsafe bytes, unsafe len == 8 else { return nil }
        return unsafe UnsafeRawBufferPointer(start: bytes, count: len).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
