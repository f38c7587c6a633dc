/// Records a call in the room it sits in: what it says and what it hears. Any instance may be asked; `conflict` when the call is over,
/// or sits nowhere yet. The same recording id again tells how it stands.
public struct RecordCall: Command {
    public typealias Reply = Recording
    public static let name = "call.record"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String
    public var recordingID: String
    public var terms: RecordingTerms

    public init(customerID: String, id: String, recordingID: String, terms: RecordingTerms) {
        (self.customerID, self.id, self.recordingID, self.terms) = (customerID, id, recordingID, terms)
    }
}
