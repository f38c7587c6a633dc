internal import CRabbitMQ
internal import Deadlines

extension AMQPConnection {
    private enum Header {
        static let customer = "customer"
        static let traceparent = "traceparent"
        static let idempotencyKey = "idempotency-key"
        static let budget = "budget-ms"
        static let attempt = "attempt"
        /// RabbitMQ's sender-selected distribution: further routing keys. It takes the header off before it delivers the message.
        static let furtherKeys = "BCC"
    }

    /// Lives in the arena until it is recycled.
    func basicProperties(_ properties: Properties, furtherKeys: [String]) -> amqp_basic_properties_t {
        var basic = unsafe amqp_basic_properties_t()
        var flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_APP_ID_FLAG
        unsafe basic.content_type = arena.bytes("application/json")
        unsafe basic.type = arena.bytes(properties.type)
        unsafe basic.message_id = arena.bytes(properties.messageID)
        unsafe basic.app_id = arena.bytes(properties.sender)
        if let correlation = properties.correlation {
            flags |= AMQP_BASIC_CORRELATION_ID_FLAG
            unsafe basic.correlation_id = arena.bytes(correlation)
        }
        if let replyTo = properties.replyTo {
            flags |= AMQP_BASIC_REPLY_TO_FLAG
            unsafe basic.reply_to = arena.bytes(replyTo)
        }
        var headers: [(String, AMQPArena.Field)] = []
        if let customer = properties.customer { headers.append((Header.customer, .text(customer))) }
        if let traceparent = properties.traceparent { headers.append((Header.traceparent, .text(traceparent))) }
        if let key = properties.idempotencyKey { headers.append((Header.idempotencyKey, .text(key))) }
        if properties.attempt > 1 { headers.append((Header.attempt, .number(Int64(properties.attempt)))) }
        if !furtherKeys.isEmpty { headers.append((Header.furtherKeys, .texts(furtherKeys))) }
        if let budget = properties.budget {
            let milliseconds = max(1, budget.nanoseconds / 1_000_000)
            flags |= AMQP_BASIC_EXPIRATION_FLAG
            unsafe basic.expiration = arena.bytes(String(milliseconds))
            headers.append((Header.budget, .number(milliseconds)))
        }
        if !headers.isEmpty {
            flags |= AMQP_BASIC_HEADERS_FLAG
            unsafe basic.headers = arena.table(headers)
        }
        if properties.isPersistent {
            flags |= AMQP_BASIC_DELIVERY_MODE_FLAG
            unsafe basic.delivery_mode = 2
        }
        unsafe basic._flags = amqp_flags_t(flags)
        return unsafe basic
    }

    /// What is missing reads as empty; foreign header types are ignored.
    static func properties(_ basic: amqp_basic_properties_t) -> Properties {
        let flags = unsafe Int32(bitPattern: basic._flags)
        func text(_ flag: Int32, _ bytes: amqp_bytes_t) -> String { flags & flag == 0 ? "" : unsafe bytes.text }
        var properties = unsafe Properties(
            type: text(AMQP_BASIC_TYPE_FLAG, basic.type), messageID: text(AMQP_BASIC_MESSAGE_ID_FLAG, basic.message_id),
            sender: text(AMQP_BASIC_APP_ID_FLAG, basic.app_id))
        if flags & AMQP_BASIC_CORRELATION_ID_FLAG != 0 { properties.correlation = unsafe basic.correlation_id.number }
        if flags & AMQP_BASIC_REPLY_TO_FLAG != 0 { properties.replyTo = unsafe basic.reply_to.text }
        if flags & AMQP_BASIC_DELIVERY_MODE_FLAG != 0 { properties.isPersistent = unsafe basic.delivery_mode == 2 }
        guard flags & AMQP_BASIC_HEADERS_FLAG != 0 else { return properties }
        for index in 0..<Int(unsafe basic.headers.num_entries) {
            let entry = unsafe basic.headers.entries[index]
            let value = unsafe entry.value
            switch (unsafe entry.key.text, unsafe UInt32(value.kind)) {
            case (Header.customer, AMQP_FIELD_KIND_UTF8.rawValue): properties.customer = unsafe value.value.bytes.text
            case (Header.traceparent, AMQP_FIELD_KIND_UTF8.rawValue): properties.traceparent = unsafe value.value.bytes.text
            case (Header.idempotencyKey, AMQP_FIELD_KIND_UTF8.rawValue):
                properties.idempotencyKey = unsafe value.value.bytes.text
            case (Header.budget, AMQP_FIELD_KIND_I64.rawValue):
                properties.budget = unsafe .milliseconds(Int(value.value.i64))
            case (Header.attempt, AMQP_FIELD_KIND_I64.rawValue): properties.attempt = unsafe Int(value.value.i64)
            default: continue
            }
        }
        return properties
    }
}
