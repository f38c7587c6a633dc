/// The action types that have an executor, by their names in a flow.
public enum ActionType: String, Sendable, Hashable, CaseIterable {
    case amd, answer, beep, branch, connect, echo, goto, hangup, mute, play, sleep, stop, talk
    case conditionDatetime = "condition_datetime"
    case conditionVariable = "condition_variable"
    case conferenceJoin = "conference_join"
    case digitsReceive = "digits_receive"
    case digitsSend = "digits_send"
    case externalMediaStart = "external_media_start"
    case externalMediaStop = "external_media_stop"
    case fetchFlow = "fetch_flow"
    case listenStart = "listen_start"
    case listenStop = "listen_stop"
    case transcribeStart = "transcribe_start"
    case transcribeStop = "transcribe_stop"
    case recordingStart = "recording_start"
    case recordingStop = "recording_stop"
    case variableSet = "variable_set"

    /// Types of the vocabulary that a later version executes: named in validation, so that the author of a flow knows
    /// that the flow is right and the platform is not ready for it.
    public static let unavailable: Set<String> = [
        "agent_call", "ai_summary", "ai_talk", "ai_task", "block", "call", "case_create", "chatbot_talk",
        "condition_call_digits", "condition_call_status", "confbridge_join", "conversation_send", "email_send",
        "fetch", "hangup_relay", "message_send", "queue_join", "stream_echo", "transcribe_recording", "webhook_send",
    ]
}
