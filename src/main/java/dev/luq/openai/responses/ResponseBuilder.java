package dev.luq.openai.responses;

import dev.luq.openai.generation.AnswerBuilder;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.Usage;
import dev.luq.protocol.WorkerFrame.Finished;

/** Puts a whole response together. Not thread-safe. */
final class ResponseBuilder implements AnswerBuilder {

    private final ResponseForm form;
    private final OutputItems items;
    private Usage usage = Usage.NONE;
    private Finished finished;

    ResponseBuilder(ResponseForm form) {
        this.form = form;
        this.items = new OutputItems(form.idSuffix(), OutputItems.Listener.NONE);
    }

    @Override
    public void add(ChoiceFrame choice) {
        items.add(choice.frame());
        usage = usage.plus(choice.frame());
        if (choice.frame() instanceof Finished last) {
            finished = last;
        }
    }

    @Override
    public ResponseObject build() {
        return form.ended(items.all(), usage, finished);
    }
}
