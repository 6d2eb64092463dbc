"""Small labelled sets in other languages than English: passages of a handbook, each with a question that it answers."""

from typing import Final

SETS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "de": (
        ("Die Kündigungsfristen betragen drei Monate zum Ende eines Jahres.", "Welche Kündigungsfrist gilt?"),
        ("Bestellte Waren werden innerhalb von zwei Wochen geliefert.", "Wie lange dauert die Lieferung einer Ware?"),
        ("Der Kundendienst ist montags bis freitags telefonisch zu erreichen.", "Wann erreiche ich den Kundendienst?"),
        ("Rechnungen sind innerhalb von dreißig Tagen zu bezahlen.", "Wann muss eine Rechnung bezahlt werden?"),
        ("Defekte Geräte werden kostenlos repariert oder ersetzt.", "Wer repariert ein defektes Gerät?"),
        (
            "Mitarbeiterinnen und Mitarbeiter haben Anspruch auf dreißig Urlaubstage.",
            "Wie viel Urlaub hat ein Mitarbeiter?",
        ),
        ("Reisekosten werden gegen Vorlage der Belege erstattet.", "Welchen Beleg brauche ich für die Erstattung?"),
        ("Passwörter müssen alle neunzig Tage geändert werden.", "Wie oft soll ich das Passwort ändern?"),
        ("Besucher melden sich am Empfang und tragen einen Ausweis.", "Braucht ein Besucher Ausweise?"),
        (
            "Vertrauliche Unterlagen werden in verschlossenen Schränken aufbewahrt.",
            "Wo liegt eine vertrauliche Unterlage?",
        ),
        ("Die Büros sind an gesetzlichen Feiertagen geschlossen.", "Ist das Büro an einem Feiertag offen?"),
        ("Neue Verträge unterschreibt die Geschäftsführung.", "Wer unterschreibt einen neuen Vertrag?"),
    ),
    "fr": (
        ("Les abonnements sont résiliés à la demande des clients.", "Comment résilier mon abonnement ?"),
        ("Les livraisons sont effectuées sous quinze jours.", "Quand effectue-t-on une livraison ?"),
        ("Les factures doivent être réglées dans les trente jours.", "Quand faut-il régler la facture ?"),
        ("Les appareils défectueux sont réparés gratuitement.", "Qui répare un appareil défectueux ?"),
        ("Les salariés bénéficient de vingt-cinq jours de congés.", "De combien de congé un salarié bénéficie-t-il ?"),
        (
            "Les frais de déplacement sont remboursés sur justificatifs.",
            "Quel justificatif pour rembourser un déplacement ?",
        ),
        ("Les mots de passe sont renouvelés tous les trois mois.", "Quand renouveler mon mot de passe ?"),
        ("Les visiteurs se présentent à l'accueil et portent un badge.", "Un visiteur doit-il porter des badges ?"),
        ("Les documents confidentiels sont conservés sous clé.", "Où conserver un document confidentiel ?"),
        ("Les bureaux sont fermés pendant les jours fériés.", "Le bureau ferme-t-il un jour férié ?"),
        ("Les contrats sont signés par la direction générale.", "Qui signe un nouveau contrat ?"),
        ("Les réunions commencent à neuf heures précises.", "À quelle heure commence la réunion ?"),
    ),
    "es": (
        ("Los contratos se cancelarán con treinta días de antelación.", "¿Cómo cancelo mi contrato?"),
        ("Los pedidos se entregan en dos semanas.", "¿Cuándo entregarán mi pedido?"),
        ("Las facturas deben pagarse en treinta días.", "¿Cuándo tengo que pagar la factura?"),
        ("Los aparatos defectuosos se reparan gratuitamente.", "¿Quién repara un aparato defectuoso?"),
        ("Los empleados disponen de veintidós días de vacaciones.", "¿De cuántas vacaciones dispone un empleado?"),
        (
            "Los gastos de viaje se reembolsan presentando los recibos.",
            "¿Qué recibo presento para reembolsar un viaje?",
        ),
        ("Las contraseñas se cambiarán cada tres meses.", "¿Cada cuánto cambio la contraseña?"),
        ("Los visitantes se registran en recepción y llevan tarjeta.", "¿Dónde se registra un visitante?"),
        ("Los documentos confidenciales se guardan bajo llave.", "¿Dónde guardo un documento confidencial?"),
        ("Las oficinas cierran los días festivos.", "¿Cierra la oficina un día festivo?"),
        ("Los acuerdos nuevos los firma la dirección.", "¿Quién firmará un acuerdo nuevo?"),
        ("Las reuniones empiezan a las nueve en punto.", "¿A qué hora empieza la reunión?"),
    ),
}
"""Passage and question, by language."""
