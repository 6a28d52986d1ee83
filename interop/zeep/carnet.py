"""A Python SOAP client that nobody here wrote (zeep), driven by ?wsdl alone: plain SOAP, documents inline as base64.

    carnet.py URL PATIENT      URL of the server, patient as CX

Prints one line for each exchange and ends with status 1 when one did not go as the standard says.
"""

import sys
import uuid

from zeep import Client

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DEPRECATED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"
HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
UPDATE_STATUS = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
STABLE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
CODE_SYSTEM = "1.2.250.1.999.1"

ENTRY = {
    "author": "93606bcf-9494-43ec-9b4e-a7748d1a838d",
    "classCode": "41a5887f-8865-4c09-adf7-e362475b143a",
    "confidentialityCode": "f4f85eac-e6cb-4883-b524-f2705394840f",
    "formatCode": "a09d5840-386c-46f2-b5ad-9c3699a4309d",
    "healthcareFacilityTypeCode": "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1",
    "practiceSettingCode": "cccf5598-8b07-4b77-a05e-ae952c785ead",
    "typeCode": "f0306f51-975f-434e-a61c-c59651d33983",
    "patientId": "58a6f841-87b3-4a3e-92fd-a8ffeff98427",
    "uniqueId": "2e82c1f6-a085-4c72-9da3-8640a32e42ab",
}
SET = {
    "node": "a54d6aa5-d40d-43f9-88c5-b4633d873bdd",
    "contentTypeCode": "aa543740-bdda-424e-8c96-df4873be8500",
    "patientId": "6b5aea1a-874d-4603-a4bc-96a0a7b38446",
    "sourceId": "554ac39e-e3fe-47fe-b233-965d2a147832",
    "uniqueId": "96fdda7c-d067-4183-912e-bf5ee74998a8",
}
FOLDER = {
    "node": "d9d542f3-6cc4-48b6-8870-ea235fbc94c2",
    "codeList": "1ba97051-7806-41a8-a48b-8fce7af683c5",
    "patientId": "f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a",
    "uniqueId": "75df8f67-9973-4fbe-a900-df66cefecc5a",
}


def urn():
    return f"urn:uuid:{uuid.uuid4()}"


def oid():
    return f"2.25.{uuid.uuid4().int}"


class Carnet:
    def __init__(self, url, patient):
        self.patient = patient
        self.registry = Client(f"{url}/services/registry?wsdl")
        self.repository = Client(f"{url}/services/repository?wsdl")
        self.failures = 0

    def check(self, what, good, detail=""):
        self.failures += 0 if good else 1
        print(f"{'ok    ' if good else 'FAILED'}  {what}{'' if good else '  ' + str(detail)}")

    # Metadata, from the types of the WSDL.

    def rim(self, type_name, /, **fields):
        return self.registry.get_type(RIM + type_name)(**fields)

    def slot(self, name, *values):
        return self.rim("Slot", name=name, ValueList=self.rim("ValueList", Value=list(values)))

    def text(self, value):
        return self.rim("InternationalString", LocalizedString=[self.rim("LocalizedString", value=value)])

    def code(self, scheme, owner, code):
        return self.rim(
            "Classification",
            id=urn(),
            classificationScheme=f"urn:uuid:{scheme}",
            classifiedObject=owner,
            nodeRepresentation=code,
            Slot=[self.slot("codingScheme", CODE_SYSTEM)],
            Name=self.text(f"display of {code}"),
        )

    def mark(self, node, owner):
        return self.rim("Classification", id=urn(), classificationNode=f"urn:uuid:{node}", classifiedObject=owner)

    def identifier(self, scheme, owner, value, name):
        return self.rim(
            "ExternalIdentifier",
            id=urn(),
            registryObject=owner,
            identificationScheme=f"urn:uuid:{scheme}",
            value=value,
            Name=self.text(name),
        )

    def document(self, ident, unique_id, title, **more):
        codes = ["classCode", "confidentialityCode", "formatCode", "healthcareFacilityTypeCode"]
        codes += ["practiceSettingCode", "typeCode"]
        author = self.rim(
            "Classification",
            id=urn(),
            classificationScheme=f"urn:uuid:{ENTRY['author']}",
            classifiedObject=ident,
            nodeRepresentation="",
            Slot=[self.slot("authorPerson", "801234567897^MARTIN^Claire")],
        )
        return self.rim(
            "ExtrinsicObject",
            id=ident,
            objectType=STABLE,
            mimeType="text/plain",
            Slot=[
                self.slot("creationTime", "20260102030405"),
                self.slot("languageCode", "fr-FR"),
                self.slot("sourcePatientId", self.patient),
                self.slot("urn:ihe:iti:xds:2013:referenceIdList", "R-1^^^^urn:ihe:iti:xds:2013:order"),
                *more.pop("slots", []),
            ],
            Name=self.text(title),
            Classification=[author] + [self.code(ENTRY[name], ident, name) for name in codes],
            ExternalIdentifier=[
                self.identifier(ENTRY["patientId"], ident, self.patient, "XDSDocumentEntry.patientId"),
                self.identifier(ENTRY["uniqueId"], ident, unique_id, "XDSDocumentEntry.uniqueId"),
            ],
            **more,
        )

    def submission_set(self, unique_id):
        return self.rim(
            "RegistryPackage",
            id="set",
            Slot=[self.slot("submissionTime", "20260102030405")],
            Name=self.text("Sortie"),
            Classification=[self.mark(SET["node"], "set"), self.code(SET["contentTypeCode"], "set", "content")],
            ExternalIdentifier=[
                self.identifier(SET["patientId"], "set", self.patient, "XDSSubmissionSet.patientId"),
                self.identifier(SET["sourceId"], "set", "1.2.250.1.999.2", "XDSSubmissionSet.sourceId"),
                self.identifier(SET["uniqueId"], "set", unique_id, "XDSSubmissionSet.uniqueId"),
            ],
        )

    def folder(self, unique_id):
        return self.rim(
            "RegistryPackage",
            id="folder",
            Name=self.text("Classeur"),
            Classification=[self.mark(FOLDER["node"], "folder"), self.code(FOLDER["codeList"], "folder", "theme")],
            ExternalIdentifier=[
                self.identifier(FOLDER["patientId"], "folder", self.patient, "XDSFolder.patientId"),
                self.identifier(FOLDER["uniqueId"], "folder", unique_id, "XDSFolder.uniqueId"),
            ],
        )

    def association(self, kind, source, target, *slots, ident=None):
        fields = {"associationType": kind, "sourceObject": source, "targetObject": target}
        return self.rim("Association", id=ident or urn(), Slot=list(slots), **fields)

    def objects(self, *objects):
        names = {"ExtrinsicObject", "RegistryPackage", "Association"}
        listed = [{name: o} for o in objects for name in names if type(o).__name__ == name]
        return {"_value_1": listed}

    # Exchanges.

    def call(self, client, operation, **fields):
        return client.service[operation](**fields)

    def query(self, query, **parameters):
        slots = []
        for name, value in parameters.items():
            values = value if isinstance(value, list) else [value]
            slots.append(self.slot("$" + name, *values))
        return self.call(
            self.registry,
            "DocumentRegistry_RegistryStoredQuery",
            ResponseOption={"returnType": "LeafClass", "returnComposedObjects": True},
            AdhocQuery=self.rim("AdhocQuery", id=f"urn:uuid:{query}", Slot=slots),
        )


def found(response, kind):
    listed = response.RegistryObjectList
    return [o[kind] for o in (listed["_value_1"] if listed else []) or [] if kind in o]


def errors(response):
    listed = response.RegistryErrorList
    return [(e.errorCode, e.codeContext) for e in listed.RegistryError] if listed else []


def main(url, patient):
    carnet = Carnet(url, patient)
    octets = "Cher confrère,\r\nvoici la lettre.\n".encode()
    document, folder, submission = oid(), oid(), oid()
    response = carnet.call(
        carnet.repository,
        "DocumentRepository_ProvideAndRegisterDocumentSet-b",
        SubmitObjectsRequest={
            "RegistryObjectList": carnet.objects(
                carnet.submission_set(submission),
                carnet.document("document", document, "Lettre"),
                carnet.folder(folder),
                carnet.association(HAS_MEMBER, "set", "document", carnet.slot("SubmissionSetStatus", "Original")),
                carnet.association(HAS_MEMBER, "set", "folder"),
                carnet.association(HAS_MEMBER, "folder", "document", ident="membership"),
                carnet.association(HAS_MEMBER, "set", "membership"),
            )
        },
        Document=[{"_value_1": octets, "id": "document"}],
    )
    carnet.check("ITI-41, inline base64", response.status == SUCCESS, errors(response))

    quoted = f"'{patient}'"
    status = f"('{APPROVED}')"
    entries = carnet.query(
        "14d4debf-8f97-4251-9a74-a90016b0af0d", XDSDocumentEntryPatientId=quoted, XDSDocumentEntryStatus=status
    )
    mine = [
        e
        for e in found(entries, "ExtrinsicObject")
        if any(i.value == document for i in e.ExternalIdentifier)
    ]
    carnet.check("ITI-18 FindDocuments", len(mine) == 1, errors(entries))
    if not mine:
        return carnet.failures
    entry = mine[0]
    queries(carnet, quoted, status, entry.id, document, folder, submission)

    repository = next(s.ValueList.Value[0] for s in entry.Slot if s.name == "repositoryUniqueId")
    retrieved = carnet.call(
        carnet.repository,
        "DocumentRepository_RetrieveDocumentSet",
        DocumentRequest=[{"RepositoryUniqueId": repository, "DocumentUniqueId": document}],
    )
    same = [d.Document for d in retrieved.DocumentResponse or []] == [octets]
    carnet.check("ITI-43, octet by octet", same and retrieved.RegistryResponse.status == SUCCESS)
    missing = carnet.call(
        carnet.repository,
        "DocumentRepository_RetrieveDocumentSet",
        DocumentRequest=[{"RepositoryUniqueId": repository, "DocumentUniqueId": oid()}],
    )
    codes = [code for code, _ in errors(missing.RegistryResponse)]
    carnet.check("ITI-43 of what is not there", codes == ["XDSDocumentUniqueIdError"], codes)
    update(carnet, entry, document)
    return carnet.failures


def queries(carnet, patient, status, entry, document, folder, submission):
    """Every stored query: name, id, parameters, and how many objects of each kind come back."""
    by_patient = {
        "FindSubmissionSets": ("f26abbcb-ac74-4422-8a30-edb644bbc1a9", "XDSSubmissionSet", {"RegistryPackage": 1}),
        "FindFolders": ("958f3006-baad-4929-a4de-ff1114824431", "XDSFolder", {"RegistryPackage": 1}),
    }
    for name, (ident, prefix, expected) in by_patient.items():
        parameters = {prefix + "PatientId": patient, prefix + "Status": status}
        judge(carnet, name, carnet.query(ident, **parameters), expected)
    statuses = {f"XDS{kind}Status": status for kind in ("DocumentEntry", "SubmissionSet", "Folder")}
    everything = {"ExtrinsicObject": 1, "RegistryPackage": 2, "Association": 4}
    judge(carnet, "GetAll", carnet.query("10b545ea-725c-446d-9b95-8aeb444eddf3", patientId=patient, **statuses), everything)
    reference = {
        "XDSDocumentEntryPatientId": patient,
        "XDSDocumentEntryStatus": status,
        "XDSDocumentEntryReferenceIdList": "('R-1^^^^urn:ihe:iti:xds:2013:order')",
    }
    judge(
        carnet,
        "FindDocumentsByReferenceId",
        carnet.query("12941a89-e02e-4be5-967c-ce4bfc8fe492", **reference),
        {"ExtrinsicObject": 1},
    )
    by_id = [
        ("GetDocuments", "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4", {"XDSDocumentEntryUniqueId": f"('{document}')"}, {"ExtrinsicObject": 1}),
        ("GetFolders", "5737b14c-8a1a-4539-b659-e03a34a5e1e4", {"XDSFolderUniqueId": f"('{folder}')"}, {"RegistryPackage": 1}),
        ("GetAssociations", "a7ae438b-4bc2-4642-93e9-be891f7bb155", {"uuid": f"('{entry}')"}, {"Association": 2}),
        ("GetDocumentsAndAssociations", "bab9529a-4a10-40b3-a01f-f68a615d247a", {"XDSDocumentEntryEntryUUID": f"('{entry}')"}, {"ExtrinsicObject": 1, "Association": 2}),
        ("GetSubmissionSets", "51224314-5390-4169-9b91-b1980040715a", {"uuid": f"('{entry}')"}, {"RegistryPackage": 1, "Association": 1}),
        ("GetSubmissionSetAndContents", "e8e3cb2c-e39c-46b9-99e4-c12f57260b83", {"XDSSubmissionSetUniqueId": f"'{submission}'"}, everything),
        ("GetFolderAndContents", "b909a503-523d-4517-8acf-8e5834dfc4c7", {"XDSFolderUniqueId": f"'{folder}'"}, {"RegistryPackage": 1, "ExtrinsicObject": 1, "Association": 1}),
        ("GetFoldersForDocument", "10cae35a-c7f9-4cf5-b61e-fc3278ffb578", {"XDSDocumentEntryUniqueId": f"'{document}'"}, {"RegistryPackage": 1}),
        ("GetRelatedDocuments", "d90e5407-b356-4d91-a89f-873917b4b0e6", {"XDSDocumentEntryUniqueId": f"'{document}'", "AssociationTypes": "('urn:ihe:iti:2007:AssociationType:RPLC')"}, {}),
    ]
    for name, ident, parameters, expected in by_id:
        judge(carnet, name, carnet.query(ident, **parameters), expected)


def judge(carnet, name, response, expected):
    kinds = ("ExtrinsicObject", "RegistryPackage", "Association")
    counts = {kind: len(found(response, kind)) for kind in kinds if found(response, kind)}
    carnet.check(f"ITI-18 {name}", response.status == SUCCESS and counts == expected, (counts, errors(response)))


def update(carnet, entry, unique_id):
    """ITI-57: a new version with another title, then its status."""
    kept = ("hash", "size", "repositoryUniqueId")
    slots = [carnet.slot(s.name, *s.ValueList.Value) for s in entry.Slot if s.name in kept]
    version = entry.VersionInfo.versionName
    member = [carnet.slot("SubmissionSetStatus", "Original"), carnet.slot("PreviousVersion", version)]
    response = carnet.call(
        carnet.registry,
        "DocumentRegistry_UpdateDocumentSet",
        RegistryObjectList=carnet.objects(
            carnet.submission_set(oid()),
            carnet.document("document", unique_id, "Lettre, titre corrigé", lid=entry.lid, slots=slots),
            carnet.association(HAS_MEMBER, "set", "document", *member),
        ),
    )
    carnet.check("ITI-57, a new version", response.status == SUCCESS, errors(response))
    found_again = carnet.query("5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4", XDSDocumentEntryUniqueId=f"('{unique_id}')")
    newest = found(found_again, "ExtrinsicObject")
    titles = [(e.Name.LocalizedString[0].value, e.VersionInfo.versionName) for e in newest]
    carnet.check("ITI-18 finds the new version", titles == [("Lettre, titre corrigé", "2")], titles)
    if not newest:
        return
    annotations = [carnet.slot("OriginalStatus", APPROVED), carnet.slot("NewStatus", DEPRECATED)]
    response = carnet.call(
        carnet.registry,
        "DocumentRegistry_UpdateDocumentSet",
        RegistryObjectList=carnet.objects(
            carnet.submission_set(oid()),
            carnet.association(UPDATE_STATUS, "set", newest[0].id, *annotations),
        ),
    )
    carnet.check("ITI-57, another status", response.status == SUCCESS, errors(response))


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
