// The description needs the same key as the API: it is asked for where there are keys, and lives as long as the page.
'use strict';

const form = document.getElementById('key-form');

async function show(key) {
  const answer = await fetch('../openapi?format=json', key ? {headers: {Authorization: 'Bearer ' + key}} : {});
  if (!answer.ok) {
    form.hidden = false;
    document.getElementById('refusal').textContent = key ? (await answer.json()).error.message : '';
    return;
  }
  form.hidden = true;
  const ui = SwaggerUIBundle({
    spec: await answer.json(),
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    onComplete: () => key && ui.preauthorizeApiKey('key', key),
  });
}

form.addEventListener('submit', event => {
  event.preventDefault();
  show(document.getElementById('key').value.trim());
});
show('');
