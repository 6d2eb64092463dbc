"""A small made-up handbook: what each page says is said on no other, so that a citation's page can be checked."""

PAGES = (
    "Falcon Cloud Handbook\n\nThis handbook explains how the Falcon Cloud service is ordered, paid and cancelled. "
    "It is written for customers of the company Meridian Works in Lisbon.",
    "Plans\n\nThe Falcon plan costs 49 euros a month and includes 20 users. "
    "The Heron plan costs 120 euros a month and includes 100 users. Prices do not include value added tax.",
    "Cancellation\n\nA subscription can be cancelled with thirty days notice by writing to the billing department. "
    "Money already paid is refunded in proportion to the unused days.",
    "Backups\n\nEvery night at two o'clock a full backup is written to the data centre in Porto. "
    "Backups are kept for ninety days and then destroyed.",
    "Support\n\nThe support desk answers on weekdays between eight and eighteen. "
    "Outside these hours an engineer on call handles outages only.",
)

QUESTIONS = (
    ("How much does the Falcon plan cost a month?", 2, "49 euros"),
    ("How many days notice does a cancellation need?", 3, "thirty days"),
    ("Where is the nightly backup written?", 4, "Porto"),
    ("When does the support desk answer?", 5, "weekdays between eight and eighteen"),
)

UNANSWERABLE = (
    "Who won the football world cup in 1998?",
    "What is the boiling point of tungsten?",
    "How do I bake sourdough bread?",
)
