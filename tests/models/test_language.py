"""Which language a message is in: never another one for English, whatever kind of English."""

import pytest

from eval.data import LANGUAGES, Split, load_language, load_rows
from models.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wo ist mein Paket, ich warte schon seit einer Woche?", "de"),
        ("¿Dónde está mi pedido? No me ha llegado nada", "es"),
        ("Bonjour, je n'ai toujours pas reçu ma commande", "fr"),
        ("Buongiorno, il mio ordine non è ancora arrivato", "it"),
        ("Waar is mijn bestelling, ik heb nog niet bericht gehad", "nl"),
        ("Dzień dobry, gdzie jest moje zamówienie", "pl"),
        ("где мой заказ", "ru"), ("أين طلبي", "ar"), ("私の注文はどこですか", "ja"), ("我的订单在哪里", "zh"),
    ],
)  # fmt: skip
def test_a_plain_question_is_recognised(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text", ["ok", "gracias", "danke", "merci!", "café latte mug", "der", "12345", "", "😀😀", "la la land"]
)
def test_a_word_or_two_say_nothing(text: str) -> None:
    assert language_of(text) is None


def test_english_of_every_kind_stays_english() -> None:
    texts = [row.text for row in load_rows(Split.DEV)]
    assert [t for t in texts if language_of(t)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_whole_sentences_of_another_language_are_found_and_hardly_any_mistaken(language: str) -> None:
    found = [language_of(row.text) for row in load_language(language) if len(row.text.split()) >= 5]
    assert sum(f == language for f in found) / len(found) > 0.7
    assert sum(f not in (None, language) for f in found) / len(found) < 0.05
