/// The action types that have an executor, by their names in a flow.
public enum ActionType: String, Sendable, Hashable, CaseIterable {
    case answer, beep, branch, connect, echo, goto, hangup, mute, play, sleep, stop, talk
    case conditionDatetime = "condition_datetime"
    case conditionVariable = "condition_variable"
    case conferenceJoin = "conference_join"
    case digitsReceive = "digits_receive"
    case digitsSend = "digits_send"
    case fetchFlow = "fetch_flow"
    case variableSet = "variable_set"

    /// Types of the vocabulary that a later version executes: named in validation, so that the author of a flow knows
    /// that the flow is right and the platform is not ready for it.
    public static let unavailable: Set<String> = [
        "agent_call", "ai_summary", "ai_talk", "ai_task", "amd", "block", "call", "case_create", "chatbot_talk",
        "condition_call_digits", "condition_call_status", "confbridge_join", "conversation_send", "email_send",
        "external_media_start", "external_media_stop", "fetch", "hangup_relay", "message_send", "queue_join",
        "recording_start", "recording_stop", "stream_echo", "transcribe_recording", "transcribe_start",
        "transcribe_stop", "webhook_send",
    ]
}
