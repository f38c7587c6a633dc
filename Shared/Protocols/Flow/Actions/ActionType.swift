/// The action types that have an executor, by their names in a flow.
public enum ActionType: String, Sendable, Hashable, CaseIterable {
    case amd, answer, beep, block, branch, call, collect, condition, connect, dial, echo, fetch, gather, goto, hangup, hold, meet, mute, parallel, park, play, record, schedule, sleep, stop, talk, transfer, voicemail
    case aiSummary = "ai_summary"
    case aiTalk = "ai_talk"
    case aiTask = "ai_task"
    case caseCreate = "case_create"
    case conditionCallDigits = "condition_call_digits"
    case conditionCallStatus = "condition_call_status"
    case conditionDatetime = "condition_datetime"
    case conditionVariable = "condition_variable"
    case confbridgeJoin = "confbridge_join"
    case conferenceJoin = "conference_join"
    case conversationSend = "conversation_send"
    case digitsReceive = "digits_receive"
    case digitsSend = "digits_send"
    case emailSend = "email_send"
    case externalMediaStart = "external_media_start"
    case externalMediaStop = "external_media_stop"
    case fetchFlow = "fetch_flow"
    case httpRequest = "http_request"
    case listenStart = "listen_start"
    case listenStop = "listen_stop"
    case messageSend = "message_send"
    case playTone = "play_tone"
    case queueJoin = "queue_join"
    case recordingStart = "recording_start"
    case recordingStop = "recording_stop"
    case setHeader = "set_header"
    case streamEcho = "stream_echo"
    case transcribeRecording = "transcribe_recording"
    case transcribeStart = "transcribe_start"
    case transcribeStop = "transcribe_stop"
    case variableSet = "variable_set"
    case voicemailCheck = "voicemail_check"
    case webhookSend = "webhook_send"

    /// What actions are made of: no flow of a customer's has them.
    static let parts: Set<ActionType> = [.hold, .meet]

    /// Older names of VoIPbin that its documentation has no more: named in validation, so that the author of a flow knows
    /// that the word is known and has no executor.
    public static let unavailable: Set<String> = ["agent_call", "chatbot_talk", "hangup_relay"]
}
