import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const { LUQ_TEST_URL, LUQ_TEST_KEY, LUQ_TEST_MODEL, LUQ_TEST_PICTURE, LUQ_TEST_SEES } = process.env;
const client = new OpenAI({ baseURL: `${LUQ_TEST_URL}/v1`, apiKey: LUQ_TEST_KEY, maxRetries: 0 });
const messages = [{ role: 'user', content: 'What is 34 + 58?' }];
const Sum = z.object({ left: z.number().int().min(0).max(99), right: z.number().int().min(0).max(99) });
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 20 }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
};
const blind = LUQ_TEST_SEES === 'no' && 'the model reads no pictures';
const model = LUQ_TEST_MODEL;

test('models are listed and found by id', async () => {
  assert.ok((await client.models.list()).data.some((one) => one.id === model));
  assert.equal((await client.models.retrieve(model)).id, model);
});

test('chat is answered and counted', async () => {
  const answer = await client.chat.completions.create({ model, messages, max_tokens: 16 });
  assert.ok(answer.choices[0].message.content);
  assert.match(answer.choices[0].finish_reason, /^(stop|length)$/);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('a stream ends with its usage', async () => {
  const chunks = [];
  const stream = await client.chat.completions.create({
    model, messages, max_tokens: 16, stream: true, stream_options: { include_usage: true },
  });
  for await (const chunk of stream) chunks.push(chunk);
  assert.ok(chunks.at(-1).usage.completion_tokens > 0);
  assert.ok(chunks.some((chunk) => chunk.choices[0]?.finish_reason));
});

test('a stream that is aborted ends', async () => {
  const stream = await client.chat.completions.create({ model, messages, stream: true, max_tokens: 1000 });
  for await (const _ of stream) stream.controller.abort();
  assert.ok(stream.controller.signal.aborted);
});

test('parse gives an object of the schema', async () => {
  const answer = await client.chat.completions.parse({ model, messages, response_format: zodResponseFormat(Sum, 'sum') });
  assert.ok(Sum.safeParse(answer.choices[0].message.parsed).success);
});

for (const stream of [false, true]) {
  test(`a tool that must be called is called${stream ? ', streamed' : ''}`, async () => {
    const request = {
      model, messages, max_tokens: 200, tools: [weather], tool_choice: 'required', parallel_tool_calls: false,
    };
    const answer = stream
      ? await client.chat.completions.stream(request).finalChatCompletion()
      : await client.chat.completions.create(request);
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(answer.choices[0].finish_reason, 'tool_calls');
    assert.equal(call.function.name, 'get_weather');
    assert.match(JSON.parse(call.function.arguments).unit, /^(celsius|fahrenheit)$/);
  });
}

test('pictures are seen', { skip: blind }, async () => {
  const url = `data:image/png;base64,${readFileSync(LUQ_TEST_PICTURE, 'base64')}`;
  const content = [{ type: 'image_url', image_url: { url } }, { type: 'text', text: 'Describe the image.' }];
  const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content }], max_tokens: 24 });
  assert.ok(answer.choices[0].message.content);
});

test('completions continue a text', async () => {
  const answer = await client.completions.create({ model, prompt: 'What is 34', max_tokens: 8 });
  assert.equal(answer.object, 'text_completion');
});

test('responses answer', async () => {
  const answer = await client.responses.create({ model, input: 'What is 34 + 58?', max_output_tokens: 16 });
  assert.ok(answer.output_text);
});

test('responses stream', async () => {
  const stream = client.responses.stream({ model, input: 'What is 34 + 58?', max_output_tokens: 16 });
  const kinds = [];
  for await (const event of stream) kinds.push(event.type);
  assert.equal(kinds[0], 'response.created');
  assert.ok((await stream.finalResponse()).output_text);
});

test('errors have the classes of their status', async () => {
  await assert.rejects(client.chat.completions.create({ model: 'no-such-model', messages }), OpenAI.NotFoundError);
  const stranger = new OpenAI({ baseURL: `${LUQ_TEST_URL}/v1`, apiKey: 'no-key-of-this-server' });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});
