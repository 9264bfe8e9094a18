// What TensorBoard shows lies in shadow roots within shadow roots, where `querySelectorAll` does not look.

const shown = (element) => element.checkVisibility() && element.getClientRects().length > 0;

function* everything(root) {
  for (const element of root.querySelectorAll("*")) {
    yield element;
    if (element.shadowRoot) yield* everything(element.shadowRoot);
  }
}

const all = (selector, root = document) =>
  [...everything(root)].filter((element) => element.matches(selector) && shown(element));

// The text, in pieces: what stands in one element without another in between.
const texts = (root = document) =>
  [...everything(root)]
    .filter(shown)
    .flatMap((element) => [...element.childNodes])
    .filter((node) => node.nodeType === Node.TEXT_NODE)
    .map((node) => node.data.trim().replace(/\s+/g, " "))
    .filter(Boolean);

// What is found in each card, by the card's title.
const cards = (selector, look) =>
  Object.fromEntries(all(selector).map(({ shadowRoot }) => [texts(shadowRoot)[0], look(shadowRoot)]));

// How many points each path has that is drawn.
const points = (root, selector) =>
  all(selector, root).map((path) => (path.getAttribute("d") ?? "").split("L").length);

const size = (image) => [image.naturalWidth, image.naturalHeight];

// The colours of an image at places, from 0 to 1 across it.
const colours = (image, places) => {
  const [width, height] = size(image);
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  pen.drawImage(image, 0, 0);
  return places.map(([x, y]) => [...pen.getImageData(x * width, y * height, 1, 1).data.slice(0, 3)]);
};

// The samples of a sound, channel by channel.
const samples = async (audio) => {
  const bytes = await (await fetch(audio.currentSrc)).arrayBuffer();
  const sound = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(bytes);
  return Array.from({ length: sound.numberOfChannels }, (_, channel) => [...sound.getChannelData(channel)]);
};
