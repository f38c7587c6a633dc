/// Which instance has a room of this customer's, or `not_found`. Any instance may be asked.
public struct LocateRoom: Command {
    public static let name = "room.locate"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var roomID: String

    public init(customerID: String, roomID: String) { (self.customerID, self.roomID) = (customerID, roomID) }

    public struct Reply: Codable, Sendable, Equatable {
        public var instance: String
        /// The conference that meets there.
        public var conferenceID: String?

        public init(instance: String, conferenceID: String?) { (self.instance, self.conferenceID) = (instance, conferenceID) }
    }
}

/// Told to the owner of a call: its room is not with this instance any more.
public struct RoomLost: Command {
    public typealias Reply = Done
    public static let name = "call.room_lost"
    public static let service = ServiceName.callServer
    public var callID: String
    public var roomID: String

    public init(callID: String, roomID: String) { (self.callID, self.roomID) = (callID, roomID) }
}
