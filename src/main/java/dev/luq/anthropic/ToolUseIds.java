package dev.luq.anthropic;

/**
 * Ids of tool calls as this API has them, and as the model's template has them: some models write ids of a form of their
 * own and want them back.
 */
final class ToolUseIds {

    private static final String PREFIX = "toolu_";

    private ToolUseIds() {}

    static String ofCall(String callId) {
        return PREFIX + callId;
    }

    /** @param toolUseId of this API, or whatever else the client calls it */
    static String toCall(String toolUseId) {
        return toolUseId.startsWith(PREFIX) ? toolUseId.substring(PREFIX.length()) : toolUseId;
    }
}
