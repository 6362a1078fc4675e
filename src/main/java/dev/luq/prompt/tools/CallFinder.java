package dev.luq.prompt.tools;

import dev.luq.llama.MessageDelta;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds calls in text that comes in pieces. Where a grammar constrains them ({@link CallGrammar}), their arguments come
 * as they are written; elsewhere a call is between Hermes tags, in a fence of its own, or in a line of its own, is
 * known by the name of a tool, and comes once it is whole and its arguments fit. What may still be such a call is held
 * back, and so is white space until what follows is known: between calls it is no content. For one thread.
 */
final class CallFinder {

    /** Where calls are looked for. */
    enum Form {
        /** The grammar is there from the first token on: nothing else is a call. */
        CONSTRAINED,
        /** The grammar begins with {@link CallGrammar#OPEN}. */
        CONSTRAINED_IN_TAGS,
        /** There is no grammar. */
        FREE
    }

    private enum State {
        TEXT,
        /** A call may have begun: it is not one before it is whole. */
        CANDIDATE,
        /** Within the arguments of a constrained call. */
        ARGUMENTS,
        /** Behind them. */
        CLOSING
    }

    /** What calls in a line of their own, or a fence, begin with. */
    private static final String BEGINS_LINE = "{[`~";

    private static final Pattern NEVER = Pattern.compile("(?!)");
    private static final Pattern CLOSING = Pattern.compile("\\s*\\}\\s*" + CallGrammar.CLOSE);

    private final ToolSet tools;
    private final Form form;
    private final CallReader reader;
    /** Where a call begins: what it is enclosed in, and its beginning from {@code json} on. */
    private final Pattern opening;
    /** The beginning of a constrained call, up to its arguments. */
    private final Pattern constrained;

    private final List<MessageDelta> deltas = new ArrayList<>();
    private final StringBuilder held = new StringBuilder();
    private final StringBuilder space = new StringBuilder();
    private State state = State.TEXT;
    /** Whether what is held begins a line, but for blanks. */
    private boolean lineIsBlank = true;

    private int calls;

    /** What ends a candidate. */
    private Pattern closing;

    private boolean inLine;
    private ValueEnd end;
    private int valueStart;
    private int searched;
    private final List<String> values = new ArrayList<>();

    CallFinder(ToolSet tools, Form form) {
        this.tools = tools;
        this.form = form;
        this.reader = new CallReader(tools);
        String names = "(?<name>"
                + String.join(
                        "|",
                        tools.schemas().keySet().stream().map(Pattern::quote).toList())
                + ")";
        String head = "(?:\\[\\s*)?\\{{1,2}\\s*(?:\"(?:type|id)\"\\s*:\\s*\"[^\"\\\\]{0,64}\"\\s*,\\s*)*"
                + "(?:\"function\"\\s*:\\s*\\{\\s*)?(?:\"name\"\\s*:\\s*\"" + names
                + "\"|\"(?:arguments|parameters)\"\\s*:)";
        this.opening = Pattern.compile("(?:<(?<tag>tool_call|tools|function_call)>\\s*"
                + "|(?<fence>```|~~~)[a-z_]{0,16}\\s+)?(?<json>" + head + ")");
        this.constrained = Pattern.compile(CallGrammar.OPEN + "\\s*\\{\\s*\"name\"\\s*:\\s*\"" + names
                + "\"\\s*,\\s*\"arguments\"\\s*:\\s*(?=[\\[{])");
    }

    /** What the next piece of text adds. */
    List<MessageDelta> append(CharSequence text) {
        held.append(text);
        while (!held.isEmpty() && !complete() && step()) {
            // each step takes what it needs
        }
        return taken();
    }

    /**
     * What is left when nothing follows.
     *
     * @param cutOff whether the text was cut off by a limit
     */
    List<MessageDelta> finish(boolean cutOff) {
        if (complete()) {
            return List.of();
        }
        if (state == State.CANDIDATE) {
            readCandidate(true);
        }
        boolean half = form != Form.FREE && cutOff && beginsCall();
        if (!held.isEmpty() && !half && (state == State.TEXT || state == State.CANDIDATE)) {
            release(held.length());
        }
        held.setLength(0);
        if (calls == 0 && !half && !space.isEmpty()) {
            deltas.add(new MessageDelta.Content(space.toString()));
        }
        space.setLength(0);
        return taken();
    }

    private boolean beginsCall() {
        return CallGrammar.OPEN.startsWith(held.toString()) || held.indexOf(CallGrammar.OPEN) == 0;
    }

    /** Index of a call that is found elsewhere: what follows is content behind it. */
    int nextCall() {
        return calls++;
    }

    /** Whether no call may follow: the answer is complete. */
    boolean complete() {
        return !tools.parallel() && calls > 0 && state == State.TEXT;
    }

    private List<MessageDelta> taken() {
        List<MessageDelta> out = List.copyOf(deltas);
        deltas.clear();
        return out;
    }

    /** @return false when more text is needed */
    private boolean step() {
        return switch (state) {
            case TEXT -> findBeginning();
            case CANDIDATE -> readCandidate(false);
            case ARGUMENTS -> readArguments();
            case CLOSING -> readClosing();
        };
    }

    private boolean findBeginning() {
        boolean blank = lineIsBlank;
        for (int i = 0; i < held.length(); i++) {
            char c = held.charAt(i);
            if (c == '<' || blank && BEGINS_LINE.indexOf(c) >= 0) {
                Matcher call = at(form == Form.FREE ? NEVER : constrained, i);
                if (call.lookingAt()) {
                    String name = call.group("name");
                    release(i);
                    begin(name, call.end() - i);
                    return true;
                }
                boolean mayBeConstrained = call.hitEnd();
                Matcher candidate = at(form == Form.CONSTRAINED ? NEVER : opening, i);
                if (candidate.lookingAt() && !mayBeConstrained) {
                    hold(candidate, i);
                    return true;
                }
                if (mayBeConstrained || candidate.hitEnd()) {
                    release(i);
                    return false;
                }
            }
            blank = isBlank(c, blank);
        }
        release(held.length());
        return false;
    }

    /** @param blank whether the line is before this character */
    private static boolean isBlank(char c, boolean blank) {
        return c == '\n' || blank && Character.isWhitespace(c);
    }

    private Matcher at(Pattern pattern, int from) {
        return pattern.matcher(held).region(from, held.length());
    }

    private void begin(String name, int length) {
        space.setLength(0);
        held.delete(0, length);
        String id = "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24);
        deltas.add(new MessageDelta.ToolCall(nextCall(), id, name, ""));
        end = new ValueEnd();
        state = State.ARGUMENTS;
    }

    private boolean readArguments() {
        int behind = end.find(held, 0);
        int length = behind < 0 ? held.length() : behind;
        deltas.add(new MessageDelta.ToolCall(calls - 1, null, null, held.substring(0, length)));
        held.delete(0, length);
        state = behind < 0 ? State.ARGUMENTS : State.CLOSING;
        return true;
    }

    private boolean readClosing() {
        Matcher closed = CLOSING.matcher(held);
        boolean found = closed.lookingAt();
        if (!found && closed.hitEnd()) {
            return false;
        }
        held.delete(0, found ? closed.end() : 0);
        state = State.TEXT;
        lineIsBlank = true;
        return true;
    }

    private void hold(Matcher candidate, int from) {
        String tag = candidate.group("tag");
        String fence = candidate.group("fence");
        inLine = tag == null && fence == null;
        closing = Pattern.compile(tag != null ? "\\s*</" + tag + ">" : inLine ? "[ \\t\\r]*\\n" : "\\s*" + fence);
        valueStart = candidate.start("json") - from;
        searched = valueStart;
        values.clear();
        end = new ValueEnd();
        release(from);
        state = State.CANDIDATE;
    }

    /** @param last whether nothing follows, so that the closing may be missing */
    private boolean readCandidate(boolean last) {
        while (values.isEmpty() || !inLine && mayBeginValue()) {
            int behind = end.find(held, searched);
            searched = held.length();
            if (behind < 0) {
                return false;
            }
            values.add(held.substring(valueStart, behind));
            end = new ValueEnd();
            valueStart = behind;
            searched = behind;
        }
        Matcher closed = at(closing, valueStart);
        boolean found = closed.lookingAt();
        if (!found && closed.hitEnd() && !last) {
            return false;
        }
        List<CallReader.Call> read = found || closed.hitEnd() ? reader.read(values) : List.of();
        if (read.isEmpty()) {
            release(found ? closed.end() : valueStart);
        } else {
            for (CallReader.Call call : tools.parallel() ? read : read.subList(0, 1)) {
                begin(call.name(), 0);
                deltas.add(new MessageDelta.ToolCall(calls - 1, null, null, call.arguments()));
            }
            held.delete(0, found ? closed.end() : held.length());
            lineIsBlank = true;
        }
        state = State.TEXT;
        return true;
    }

    /** Whether another value follows the last one. */
    private boolean mayBeginValue() {
        int next = valueStart;
        while (next < held.length() && Character.isWhitespace(held.charAt(next))) {
            next++;
        }
        if (next == held.length() || held.charAt(next) != '{' && held.charAt(next) != '[') {
            return false;
        }
        valueStart = next;
        return true;
    }

    /** Lets the beginning of what is held go as text. */
    private void release(int length) {
        for (int i = 0; i < length; i++) {
            lineIsBlank = isBlank(held.charAt(i), lineIsBlank);
        }
        space.append(held, 0, length);
        held.delete(0, length);
        int text = space.length();
        while (text > 0 && Character.isWhitespace(space.charAt(text - 1))) {
            text--;
        }
        if (text > 0) {
            deltas.add(new MessageDelta.Content(space.substring(0, text)));
            space.delete(0, text);
        }
    }
}
