import { Chat } from "./chat.js";

new Chat(document.body.dataset.shop ?? "").start();
