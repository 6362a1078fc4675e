// The Vercel AI SDK.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateObject, generateText, streamObject, streamText, tool } from 'ai';
import { z } from 'zod';

const { LUQ_TEST_URL, LUQ_TEST_KEY, LUQ_TEST_MODEL, LUQ_TEST_PICTURE, LUQ_TEST_SEES } = process.env;
const provider = createOpenAICompatible({
  name: 'luq',
  baseURL: `${LUQ_TEST_URL}/v1`,
  apiKey: LUQ_TEST_KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const prompt = 'What is 34 + 58?';
const schema = z.object({ left: z.number().int().min(0).max(99), right: z.number().int().min(0).max(99) });
const blind = LUQ_TEST_SEES === 'no' && 'the model reads no pictures';
const model = provider(LUQ_TEST_MODEL);

test('generateText answers and counts', async () => {
  const { text, finishReason, usage } = await generateText({ model, prompt, maxOutputTokens: 16, maxRetries: 0 });
  assert.ok(text);
  assert.match(finishReason, /^(stop|length)$/);
  assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
});

test('generateText sees pictures', { skip: blind }, async () => {
  const content = [{ type: 'text', text: 'Describe the image.' }, { type: 'image', image: readFileSync(LUQ_TEST_PICTURE) }];
  const { text } = await generateText({ model, messages: [{ role: 'user', content }], maxOutputTokens: 24, maxRetries: 0 });
  assert.ok(text);
});

test('generateText calls a tool that it must call, and goes on with its result', async () => {
  const asked = [];
  const { steps } = await generateText({
    model,
    prompt,
    maxOutputTokens: 200,
    maxRetries: 0,
    toolChoice: { type: 'tool', toolName: 'get_weather' },
    tools: {
      get_weather: tool({
        inputSchema: z.object({ city: z.string().max(20) }),
        execute: async ({ city }) => asked.push(city) && 'rain',
      }),
    },
  });
  assert.equal(asked.length, 1);
  assert.equal(steps[0].finishReason, 'tool-calls');
});

test('streamText streams', async () => {
  const result = streamText({ model, prompt, maxOutputTokens: 16, maxRetries: 0 });
  let text = '';
  for await (const delta of result.textStream) text += delta;
  assert.equal(text, await result.text);
  assert.ok(text);
  assert.ok((await result.usage).outputTokens > 0);
});

test('streamText streams the call of a tool', async () => {
  const result = streamText({
    model, prompt, maxOutputTokens: 200, maxRetries: 0, toolChoice: { type: 'tool', toolName: 'get_weather' },
    tools: { get_weather: tool({ inputSchema: z.object({ city: z.string().max(20) }) }) },
  });
  await result.consumeStream();
  assert.deepEqual((await result.toolCalls).map((call) => call.toolName), ['get_weather']);
});

test('generateObject gives an object of the schema', async () => {
  const { object } = await generateObject({ model, prompt, schema, maxRetries: 0 });
  assert.ok(schema.safeParse(object).success);
});

test('streamObject gives an object of the schema', async () => {
  const result = streamObject({ model, prompt, schema, maxRetries: 0 });
  for await (const _ of result.partialObjectStream);
  assert.ok(schema.safeParse(await result.object).success);
});

test('completion models continue a text', async () => {
  const { text } = await generateText({
    model: provider.completionModel(model.modelId), prompt: 'What is 34', maxOutputTokens: 8, maxRetries: 0,
  });
  assert.equal(typeof text, 'string');
});
