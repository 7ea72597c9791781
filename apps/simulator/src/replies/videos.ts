/** POST /videos: a job that is already completed, with the simulator's text as its prompt. It does not have a video. */
import { Type } from "@sinclair/typebox";
import { defineEndpoint } from "./simulated-endpoint.ts";
import { CREATED_SECONDS, SIMULATOR, simulateText } from "./simulated-text.ts";

const text = () => Type.Optional(Type.Union([Type.String(), Type.Null()]));

export const videos = defineEndpoint({
  body: Type.Object({ model: text(), prompt: Type.String(), seconds: text(), size: text() }),
  reply({ prompt, seconds, size }, { id, replyBytes }) {
    return {
      id: `video_${id}`,
      object: "video",
      model: SIMULATOR,
      status: "completed",
      progress: 100,
      created_at: CREATED_SECONDS,
      completed_at: CREATED_SECONDS,
      expires_at: null,
      error: null,
      prompt: simulateText(prompt, replyBytes),
      remixed_from_video_id: null,
      seconds: seconds ?? "4",
      size: size ?? "720x1280",
    };
  },
});
