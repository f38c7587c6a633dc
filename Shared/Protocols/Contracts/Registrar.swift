/// A phone's account: a number in a customer's domain (DESIGN §9).
public struct Extension: Codable, Sendable, Equatable {
    public var id: String
    public var customerID: String
    public var number: String
    public var name: String
    public var flowID: String?
    public var domain: String
    /// Read-only: whether it has a live binding.
    public var registered: Bool
    /// No phone of its rings: whoever calls finds it busy. Nil in what older instances say.
    public var doNotDisturb: Bool?
    /// Nil: its calls go nowhere else.
    public var forwarding: CallForwarding?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        id: String, customerID: String, number: String, name: String, flowID: String?, domain: String, registered: Bool,
        createdAt: Timestamp, updatedAt: Timestamp
    ) {
        (self.id, self.customerID, self.number, self.name) = (id, customerID, number, name)
        (self.flowID, self.domain, self.registered) = (flowID, domain, registered)
        (self.createdAt, self.updatedAt) = (createdAt, updatedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, number, name, domain, registered, forwarding
        case customerID = "customer_id"
        case flowID = "flow_id"
        case doNotDisturb = "do_not_disturb"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// What the edge needs to check a digest: both HA1 of RFC 8760, and whom the account belongs to.
public struct FindCredentials: Command {
    public static let name = "credentials.find"
    public static let service = ServiceName.registrar
    public var domain: String
    public var username: String

    public init(domain: String, username: String) { (self.domain, self.username) = (domain, username) }

    public struct Reply: Codable, Sendable, Equatable {
        public var customerID: String
        public var extensionID: String
        public var username: String
        public var domain: String
        /// H(username:realm:password) in lower-case hexadecimal, realm = domain.
        public var ha1MD5: String
        public var ha1SHA256: String
        /// Of before the database went away: good enough to let somebody in, not to refuse anybody. Nil: no.
        public var isLastKnown: Bool?
        /// Its customer is suspended: who proves to be this one is refused all the same. Nil: no.
        public var isSuspended: Bool?

        public init(
            customerID: String, extensionID: String, username: String, domain: String, ha1MD5: String, ha1SHA256: String,
            isLastKnown: Bool? = nil
        ) {
            (self.customerID, self.extensionID, self.username) = (customerID, extensionID, username)
            (self.domain, self.ha1MD5, self.ha1SHA256, self.isLastKnown) = (domain, ha1MD5, ha1SHA256, isLastKnown)
        }
    }
}

/// Which extension a dialled number of a customer is; `not_found` when it is none. For a GRUU (`DialledNumber`) it is the extension
/// whose phone that names, without a flow: what was dialled is a phone.
public struct ResolveExtension: Command {
    public static let name = "extension.resolve"
    public static let service = ServiceName.registrar
    public var customerID: String
    public var number: String
    /// Who means to ring it, unless a flow answers in its place, is told where its phones are. Nil: no.
    public var listsBindings: Bool?

    public init(customerID: String, number: String, listsBindings: Bool? = nil) {
        (self.customerID, self.number, self.listsBindings) = (customerID, number, listsBindings)
    }

    /// An extension's own members, and `bindings` beside them.
    public struct Reply: Codable, Sendable, Equatable {
        public var found: Extension
        /// Nil: not asked for, or to be asked for by `ListBindings`.
        public var bindings: [ReachableBinding]?

        public init(_ found: Extension, bindings: [ReachableBinding]? = nil) { (self.found, self.bindings) = (found, bindings) }

        private enum CodingKeys: String, CodingKey { case bindings }

        public init(from decoder: any Decoder) throws {
            found = try Extension(from: decoder)
            bindings = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent([ReachableBinding].self, forKey: .bindings)
        }

        public func encode(to encoder: any Encoder) throws {
            try found.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(bindings, forKey: .bindings)
        }
    }
}

/// Where an extension, or the one phone a GRUU names, can be reached now (RFC 3261 §10): its live bindings, those that answered
/// last before those that did not, highest q first. Of the flows of one phone (RFC 5626 §7) only the newest stands for itself.
public struct ListBindings: Command {
    public static let name = "bindings.list"
    public static let service = ServiceName.registrar
    public var customerID: String
    /// As it was dialled: see `DialledNumber`.
    public var number: String

    public init(customerID: String, number: String) { (self.customerID, self.number) = (customerID, number) }

    public struct Reply: Codable, Sendable, Equatable {
        public var bindings: [ReachableBinding]
        /// They are not to be rung: it is busy for everybody. Nil: they are.
        public var doNotDisturb: Bool?

        public init(bindings: [ReachableBinding], doNotDisturb: Bool? = nil) { (self.bindings, self.doNotDisturb) = (bindings, doNotDisturb) }
    }
}

public struct ReachableBinding: Codable, Sendable, Equatable {
    /// Another flow to the same phone (RFC 5626 §7): to be tried only when the one before is dead (430).
    public struct Flow: Codable, Sendable, Equatable {
        public var contact: String
        public var path: [String]

        public init(contact: String, path: [String]) { (self.contact, self.path) = (contact, path) }
    }

    /// What a push service is told to wake the phone (RFC 8599 §4).
    public struct Push: Codable, Sendable, Equatable {
        public var provider: String
        public var prid: String?
        public var parameter: String?

        public init(provider: String, prid: String?, parameter: String?) {
            (self.provider, self.prid, self.parameter) = (provider, prid, parameter)
        }
    }

    /// The Contact URI: the Request-URI of a request to it.
    public var contact: String
    /// The Path of RFC 3327, topmost first: the Route set of a request to it, each a URI without angle brackets.
    public var path: [String]
    public var q: Double
    public var expiresAt: Timestamp
    /// `+sip.instance`, when the phone gave one (RFC 5626).
    public var instanceID: String?
    public var otherFlows: [Flow]?
    public var push: Push?
    /// It did not answer the last OPTIONS.
    public var isUnreachable: Bool?
    /// How long it took to answer the last OPTIONS that it answered; nil when that is not known.
    public var roundTripMicroseconds: Int?

    public init(
        contact: String, path: [String], q: Double, expiresAt: Timestamp, instanceID: String?, otherFlows: [Flow]? = nil,
        push: Push? = nil, isUnreachable: Bool? = nil, roundTripMicroseconds: Int? = nil
    ) {
        (self.contact, self.path, self.q, self.expiresAt, self.instanceID) = (contact, path, q, expiresAt, instanceID)
        (self.otherFlows, self.push, self.isUnreachable) = (otherFlows, push, isUnreachable)
        self.roundTripMicroseconds = roundTripMicroseconds
    }
}

extension ReachableBinding {
    /// Every way to the phone, this one in front.
    public var flows: [ReachableBinding] {
        [self] + (otherFlows ?? []).map { flow in
            var other = self
            (other.contact, other.path, other.otherFlows) = (flow.contact, flow.path, nil)
            return other
        }
    }
}

/// The edge answered 430 for this flow (RFC 5626 §11.1): a binding that still uses it is removed.
public struct ForgetFlow: Command {
    public typealias Reply = Done
    public static let name = "flow.forget"
    public static let service = ServiceName.registrar
    public var customerID: String
    /// As it was dialled.
    public var number: String
    public var flow: ReachableBinding.Flow

    public init(customerID: String, number: String, flow: ReachableBinding.Flow) {
        (self.customerID, self.number, self.flow) = (customerID, number, flow)
    }
}

/// Gives a domain to a customer, in place of the one it had; `conflict` when another has it, or when the customer has extensions in another.
public struct PutDomain: Command {
    public typealias Reply = Done
    public static let name = "domain.put"
    public static let service = ServiceName.registrar
    public var customerID: String
    public var domain: String
    /// Whether the customer's phones are refused. Nil: as before.
    public var isSuspended: Bool?

    public init(customerID: String, domain: String, isSuspended: Bool? = nil) {
        (self.customerID, self.domain, self.isSuspended) = (customerID, domain, isSuspended)
    }
}

/// Whether a domain is any customer's; `not_found` when it is nobody's. `domain.changed` is signalled when one comes or goes.
public struct FindDomain: Command {
    public typealias Reply = Done
    public static let name = "domain.find"
    public static let service = ServiceName.registrar
    public var domain: String

    public init(domain: String) { self.domain = domain }
}

/// Takes a customer's domain, extensions and bindings away.
public struct RemoveDomain: Command {
    public typealias Reply = Done
    public static let name = "domain.remove"
    public static let service = ServiceName.registrar
    public var customerID: String

    public init(customerID: String) { self.customerID = customerID }
}

public struct CreateExtension: Command {
    public typealias Reply = Extension
    public static let name = "extension.create"
    public static let service = ServiceName.registrar
    public var customerID: String
    public var number: String
    public var password: String
    public var name: String
    public var flowID: String?
    public var doNotDisturb: Bool?
    public var forwarding: CallForwarding.Change?

    public init(customerID: String, number: String, password: String, name: String, flowID: String?) {
        (self.customerID, self.number, self.password) = (customerID, number, password)
        (self.name, self.flowID) = (name, flowID)
    }
}

public struct GetExtension: Command {
    public typealias Reply = Extension
    public static let name = "extension.get"
    public static let service = ServiceName.registrar
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListExtensions: Command {
    public typealias Reply = Page<Extension>
    public static let name = "extension.list"
    public static let service = ServiceName.registrar
    public var customerID: String
    public var page: PageRequest
    /// Only the extension with this number.
    public var number: String?
    public var name: String?

    public init(customerID: String, page: PageRequest, number: String? = nil, name: String? = nil) {
        (self.customerID, self.page, self.number, self.name) = (customerID, page, number, name)
    }
}

/// Changes the fields that are given; an empty `flowID` removes the flow. Another number wants a password with it, and its phones register anew:
/// what is kept of a password holds for one number.
public struct UpdateExtension: Command {
    public typealias Reply = Extension
    public static let name = "extension.update"
    public static let service = ServiceName.registrar
    public var customerID: String
    public var id: String
    public var number: String?
    public var password: String?
    public var name: String?
    public var flowID: String?
    public var doNotDisturb: Bool?
    public var forwarding: CallForwarding.Change?

    public init(
        customerID: String, id: String, number: String? = nil, password: String? = nil, name: String? = nil, flowID: String? = nil
    ) {
        (self.customerID, self.id, self.number) = (customerID, id, number)
        (self.password, self.name, self.flowID) = (password, name, flowID)
    }
}

public struct DeleteExtension: Command {
    public typealias Reply = Done
    public static let name = "extension.delete"
    public static let service = ServiceName.registrar
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}
